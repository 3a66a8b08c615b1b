"""What devices and households are told: when their parts will be used up."""
