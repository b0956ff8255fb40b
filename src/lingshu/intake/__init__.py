"""Reading other people's files: places, tables, pictures, shapes of rows; shared by sources and benchmarks."""
