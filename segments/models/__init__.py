"""What customers are worth and will want: models as pure functions over columns, their fitting, and their scores."""
