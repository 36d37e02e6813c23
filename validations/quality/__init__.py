"""What is expected of the tables as a whole: the suites as data, and Great Expectations that judges them."""
