"""Models fitted inside folds: on training releases alone, then asked about the test block they never saw."""
