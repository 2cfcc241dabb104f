"""What a month of the API costs on AWS: on Lambda, on Fargate, on EC2, and where they cross.

Pure Python, with no Django: `prices` reads what AWS charges, `profile` what the traffic is,
`worlds` makes a bill of them, `crossing` looks for the number of requests at which the bills are
equal, `drawing` draws it.
"""
