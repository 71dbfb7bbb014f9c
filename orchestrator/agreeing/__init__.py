"""What several agents say of one sample: one statement from many, and disputes between them."""
