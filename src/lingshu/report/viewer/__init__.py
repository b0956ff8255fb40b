"""A static viewer of evaluation runs: leaderboard, charts and a browser of single answers, in one folder."""
