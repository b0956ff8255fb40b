"""`lingshu plan`: what a recipe would run and cost, before anything runs. Estimates, with their assumptions."""
