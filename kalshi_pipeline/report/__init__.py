"""Pictures of what the pipeline found, as PNG bytes, made from arrays and Arrow tables."""
