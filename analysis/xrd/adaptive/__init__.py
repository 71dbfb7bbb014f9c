"""Where to count next: phase sets, what a further scan would tell of them, and what it costs."""
