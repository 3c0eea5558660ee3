TEST_CASE("middle") {}
