"""The HTML report and the plot tables: reads what the other areas wrote, decides nothing."""
