"""A deploy to ECS: `make deploy-ecs`.

| module | what it does |
| --- | --- |
| `deploy` | the steps in their order, and the way back |
| `stack` | the CloudFormation stack: looked at, changed, waited for |
| `parameters` | what the stack is given |
| `image` | built, and pushed to ECR |
| `one_off` | a command in a container of its own |
| `serving` | whether the services are well, and which commit answers |
| `aws` | what AWS refuses, and waiting for it |
"""
