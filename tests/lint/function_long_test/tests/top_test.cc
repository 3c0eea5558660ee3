TEST_CASE("a test is a function too") {
@repeat 60   REQUIRE(true);
}
