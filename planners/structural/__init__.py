"""Planning through structure: settings → structure → what is wanted of it."""
