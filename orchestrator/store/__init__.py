"""Tables, repository and array files: SQLModel stops at this door."""
