"""Workers: they claim a lane group, train it and record its events. Needs torch."""
