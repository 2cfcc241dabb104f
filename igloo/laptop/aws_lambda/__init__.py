"""Lambda on a laptop: a package runs as AWS runs it, behind an API Gateway of sorts.

    python -m igloo.laptop.aws_lambda --package igloo-production.zip

| module | what it does |
| --- | --- |
| `package` | unpacks the zip, and what Lambda's runtime adds to it |
| `runtime` | the interpreter of the package's version, with that for it |
| `bootstrap` | is run by the clean interpreter, and becomes AWS's own runtime client |
| `instance` | one such process, with the Runtime API that the client asks |
| `function` | as many instances as are busy at once, and the events that wait for one |
| `gateway` | events out of HTTP requests, and answers out of results |
| `front` | the HTTP server: API Gateway, and Lambda's `invocations` |
| `checkout` | `make lambda`: this checkout's package on its own database |
| `local` | all of it together, for tests too: `with running(package) as front` |

What AWS does and this does not: IAM, routes, authorizers, CORS, caches and quotas of API Gateway;
a share of the processor that follows the memory; a `/tmp` of each instance's own, and its 512 MB;
SnapStart; the freeze between two events; retries of asynchronous events (igloo deploys with none);
10 s for a start. Memory is the instance's own process, looked at ten times a second: what it
starts itself is not counted, nor a peak in between. Writing outside of /tmp is refused where the
kernel has Landlock (Linux 5.13 and newer); elsewhere only the package itself is write-protected,
which root does not notice.
"""
