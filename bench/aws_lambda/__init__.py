"""How fast igloo is on Lambda: `python -m bench.aws_lambda [start | warm | sizes]`.

| module | what it does |
| --- | --- |
| `packages` | builds what is measured: igloo's package, and two hello worlds beside it |
| `inside` | is run by the clean interpreter: the first answer, or many |
| `function` | one function as Lambda starts it, and what `inside` tells of it |
| `start` | cold starts, and the imports that take their time |
| `warm` | what a handler adds to a request |
| `sizes` | the zip, by package |
| `measure` | all of them |

CPU time of one process, in rounds that alternate: a busy machine is busy for all, and slows all.
"""
