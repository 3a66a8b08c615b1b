"""The Mi Home app's page of consumables."""
