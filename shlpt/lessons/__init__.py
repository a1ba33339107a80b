"""Lessons: a question, a guess, a result, and why. Read from data/lessons; their numbers come from recorded results."""
