"""People use a school while everything around it fails; at the end, money, access and progress must agree."""
