"""`restock backtest`: the forecaster's own learners over history, and what others make of it."""
