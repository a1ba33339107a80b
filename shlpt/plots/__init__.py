"""Figures: numbers prepared in one function, drawn in another, said in a sentence by a third."""
