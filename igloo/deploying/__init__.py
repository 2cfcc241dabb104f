"""What brings igloo to AWS, from the machine of whoever deploys: `make deploy`, `make deploy-ecs`,
`make secrets`.

| module | what it does |
| --- | --- |
| `deploy` | the steps of a deploy, in their order, and the way back |
| `steps` | runs a step, times it, says where a deploy stands |
| `stages` | what zappa_settings.json says of a stage |
| `function` | the deployed Lambda function: asked, told, put back |
| `ecs` | the same to ECS |
| `checkout` | what both ask of the checkout: git, static files, migrations |
| `secrets` | publishes `.secrets/` |
| `expand_only` | which migrations the code that is still running would not survive |
"""


class DeployError(Exception):
    """The deploy can't go on; the message is whole sentences for whoever deploys."""
