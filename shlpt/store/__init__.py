"""One SQLite file and the tensors beside it: schema, transactions, who is alive. No torch."""
