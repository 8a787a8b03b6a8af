"""The tests; a package, since packages that the project needs bring a `tests` of their own."""
