"""Orchestrator: campaigns, the loop, the store, Prefect, and what a person sees."""
