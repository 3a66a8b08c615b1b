"""What makes us think of an offer, a module each: its candidates, its rules, its terms, when it is moot, its words."""
