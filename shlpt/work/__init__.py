"""The part that trains: a worker claims a lane group, drives it, and writes down what happens. Needs torch."""
