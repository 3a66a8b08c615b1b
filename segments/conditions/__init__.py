"""What an operator asks of customers, as JSON: read with one sentence for each mistake, and compiled to one SQL."""
