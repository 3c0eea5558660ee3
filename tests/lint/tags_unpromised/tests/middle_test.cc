TEST_CASE("middle: [middle.1]") {}
TEST_CASE("middle: [middle.9]") {}
