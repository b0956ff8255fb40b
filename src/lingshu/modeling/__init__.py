"""The model on disk and its input: backbone, loading, freezing, chat template, collation. Imports core and facts only."""
