"""How demand is learned and foretold: pure functions of (state, demand)."""
