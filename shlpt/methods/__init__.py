"""How a sequence is learned: one file a method, and the pure pieces that they share."""
