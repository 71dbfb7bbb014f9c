"""When a campaign is over before its budget is used up: the rules, and how each is judged."""
