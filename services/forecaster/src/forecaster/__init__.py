"""The forecaster: learns demand online and publishes its distribution."""
