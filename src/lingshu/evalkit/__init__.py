"""Scoring kept responses: strict rules, judge, report metrics and statistics. Imports core and facts only."""
