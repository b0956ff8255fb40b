"""The model on disk and its input: backbone, loading, freezing, template, collation. Imports core and facts only."""
