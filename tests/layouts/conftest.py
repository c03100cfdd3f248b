"""What the tests of the drawings share: the browser is the suite's own."""
