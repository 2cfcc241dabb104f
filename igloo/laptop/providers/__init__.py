"""Stand-ins for Kakao, Apple, Google, Facebook and Naver, for `make run` and the tests.

They speak the providers' own protocols, with keys made when they start, on loopback. Nothing of
this is in the Lambda package or in the image, and a deployed stage does not heed its settings.
"""
