"""Writes of members, by topic. Each module's first line says more.

- Becoming a member, and being one: `signup`, `profile`, `account_state`, `suspensions`, `relations`
- Logging in: `sessions`, `places`, `passwords`
- With a provider: `social_login`, and `browser_login` for the page that deletes an account;
  `login_owner` says whose a login is, `proofs` keeps what proves one from being used twice,
  `identities` links and unlinks, `provider_notices` hears from providers
- What was agreed to: `consents`, `consent_notices`
- Mails: `mails`, the `links` in them, `email_addresses`
- Leaving: `leaving`, then `erasing` with `traces` and `operator_log`; `belongings` are what each
  topic keeps of a member, `own_belongings` those of this app
- A copy of everything: `exporting`, `export_page`
"""
