"""How a purchase finds its owner: by an emailed link, in the browser that bought, or by the operator."""
