"""What a person sees: figures, Prefect artifacts, the HTML report, exports."""
