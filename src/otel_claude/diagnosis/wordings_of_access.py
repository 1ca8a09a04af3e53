"""What words about access mean, as tables: keys, tokens and sign-ins, and what they are allowed to do.

The language of the tables is that of `cases`. The wordings, with where they were seen, are in the tests.
"""

_ACCOUNTS = r"""
invalid_request server other authentication permission rate_limited -> permission when no_field
    ^[^:]{0,80}organization has been disabled
        The organization of this key is disabled: check which key the process uses, then ask Anthropic's support.
    ^[^:]{0,80}account (?:has been |is )?(?:disabled|suspended)
        The account behind this key is disabled: check which key the process uses, then ask whoever keeps the account.
authentication permission -> permission
    not allowed to access model|can only access models
        The gateway does not let this key use the model: add the model to the key or team there.
    lacks the required data action
        The Azure identity may not call the model: give it a role that has this data action on the resource.
    oauth authentication is (?:currently )?not allowed
        The organization takes no OAuth tokens: check its plan and its settings, or use an API key of the organization.
"""

_CREDENTIALS = r"""
invalid_request authentication permission -> authentication when no_field
    ^[^:]{0,80}token tenant does not match|tenant provided in token does not match
        The Azure token is of another tenant: sign in to the tenant of the resource.
    ^[^:]{0,80}api key not valid
        The API key is not valid here: check that it is whole, and that this platform takes API keys at all.
authentication permission -> authentication
    must start with pre-defined prefix
        The bearer token is no Bedrock API key: put one into AWS_BEARER_TOKEN_BEDROCK, or let AWS credentials sign.
    session token not found or invalid
        The AWS sign-in has ended: sign in again (aws sso login), for the profile that this process uses.
    oauth token (?:has been |was |is )?revoked
        The OAuth token was revoked: sign in again, or use an API key.
    federation (?:token|rule)|workload identity
        The identity token was not exchanged: compare its issuer, subject and audience with the federation rules.
    authentication failed: please make sure your api key is valid
        The key was refused: check that it is whole, not expired, and of this platform and region.
    ^authorization header is missing
        No key was sent: set AWS_BEARER_TOKEN_BEDROCK, or AWS credentials with which the client signs.
    ^missing authentication token
        No AWS credentials came with it: check that the client signs, and behind API Gateway that the path exists.
    security token (?:\w{1,20} ){0,6}expired|expiredtoken
        The AWS credentials have expired: refresh them, and let the process read them again.
    credential should be scoped|invalidsignature|incompletesignature
        AWS refused the credentials: check the access key, the region and the machine's clock.
    ^[^:]{0,80}\b(?:token|key|credentials?|session|bearer \S{1,20}) (?:\w{1,20} ){0,2}expired
        The key or token has expired: create a new one or sign in again, and let the process read it.
    security token|request signature|signature (?:expired|does not match)|unrecognizedclient|missing authentica
        AWS refused the credentials: check the access key, the region and the machine's clock.
NoCredentialsError -> authentication when by_client
    *
        No AWS credentials were found: set a profile, a role or AWS_ACCESS_KEY_ID, or pass them to the client.
CredentialRetrievalError -> authentication when by_client
    *
        A source of AWS credentials was found, but it failed: try its role, process or sign-in by hand.
PartialCredentialsError -> authentication when by_client
    *
        A source of AWS credentials has only some of them: set access key, secret key and session token together.
ProfileNotFound -> authentication when by_client
    *
        There is no AWS profile of this name: check AWS_PROFILE, and which ~/.aws/config this process reads.
TokenRetrievalError UnauthorizedSSOTokenError SSOTokenLoadError -> authentication when by_client
    *
        The AWS sign-in has ended, or never took place here: sign in again (aws sso login), for the same profile.
DefaultCredentialsError -> authentication when by_client
    *
        No Google credentials were found: run gcloud auth application-default login, or name a service account.
RefreshError -> authentication when by_client
    *
        Google did not renew the credentials: sign in again, or check the service account and its key.
other authentication -> authentication when by_client
    could not resolve (?:aws )?credentials from session
        No AWS credentials were found: set a profile, a role or AWS_ACCESS_KEY_ID, or pass them to the client.
    no project_id was given|could not resolve project_id
        No Google Cloud project is known: set ANTHROPIC_VERTEX_PROJECT_ID, or pass project_id to the client.
    could not resolve (?:api token from the environment|a gcp access token)
        No Google credentials were found: run gcloud auth application-default login, or name a service account.
    could not resolve authentication method
        The client has no key: set ANTHROPIC_API_KEY, or pass api_key to the client.
other authentication connection -> authentication when by_client
    ^(?:ascii|_) codec cant encode
        A header cannot be sent: check the key for curly quotes and other characters that are not ASCII.
authentication -> authentication
    no api key found in request
        The gateway finds no key of its own: send it in the header that the gateway expects (default_headers).
    x-api-key header is required|api key (?:is )?(?:required|missing)|no api key
        No key was sent: set ANTHROPIC_API_KEY, or pass api_key to the client.
    \bexpired\b(?!-)
        The key or token has expired: create a new one or sign in again, and let the process read it.
    oauth 2 access token|login cookie
        Google Cloud refused the credentials: check the service account, or renew the default credentials.
    aigatewayerror|cf-aig-authorization
        Cloudflare AI Gateway refused it: send a token of the gateway in cf-aig-authorization, besides the API key.
    subscription key|wrong api endpoint
        Azure refused the key: check that the key, the resource name and the endpoint belong together.
    proxy server token|virtual key|verificationtoken
        The gateway does not know the key: use one that the gateway has issued, not one of Anthropic.
    invalid (?:bearer|oauth) token|oauth authentication is (?:currently )?not supported
        The bearer token was refused: pass an API key as api_key (x-api-key), and only an OAuth token as auth_token.
    x-api-key|api[ -]?key
        The key was refused: check that it is whole, not revoked, without spaces, and of this platform.
authentication -> authentication when on_aws
    *
        AWS refused the credentials: check the role, profile or Bedrock API key that the process uses, and the region.
authentication -> authentication when on_google
    *
        Google Cloud refused the credentials: check the account that the process runs as, and renew its credentials.
authentication -> authentication when on_azure
    *
        Azure refused the credentials: check the key or the identity, and that it is one of this resource.
authentication -> authentication
    *
        The credentials were refused: check which key, token or sign-in the process uses, and that it is still valid.
"""

_REFUSALS = r"""
permission -> rate_limited
    out of call volume quota
        A gateway's quota of calls (Azure API Management) is used up: {pause}, or have it raised there.
permission -> request_too_large
    storage limit|storage quota
        The organization's storage for files is full: delete files, or ask for more.
permission -> invalid_request
    requires moderation|(?:was|were|been) flagged|flagged_input
        The moderation of the gateway flagged the input: change the prompt, since the same one will be flagged again.
permission -> permission
    ^<.{0,1500}(?:zscaler|netskope|fortiguard|forcepoint|cisco umbrella)
        The company's web filter refused it: have the API's host allowed there.
    ^error code: 10(?:0[6-9]|1[02]|20)$
        A firewall rule at Cloudflare refused it: check the network that the request leaves from, or the rule.
    ^rbac: access denied
        A policy of the service mesh (Istio, Envoy) refused it: have this workload allowed in it.
    virtual network/firewall|public access is disabled|private endpoint
        The Azure resource takes nothing from this network: allow it in the firewall, or use the private endpoint.
    ^[^:]{0,80}\bip (?:address(?:es)? )?(?:\w{1,20} ){0,2}(?:not allowed|not in |blocked|denied|allow ?list)
        The organization takes requests only from known IP addresses: allow this one, or leave from one of those.
    ^request not allowed|^<.{0,1500}cloudflare
        The network was refused: check the country, VPN or proxy that the request leaves from.
    <html|<!doctype
        A page came in place of the API's answer: check the network, VPN or proxy on the way, and who refuses there.
    insufficient authentication scopes
        The Google credentials lack a scope: renew them with cloud-platform; a VM has its scopes from its creation.
permission -> permission when on_google
    vpc ?service ?controls
        VPC Service Controls refused it: call from inside the perimeter, or have a rule for this caller added.
    (?:project|consumer)\b.{0,80}suspended|consumer_suspended
        The Google Cloud project is suspended: check its billing and Google's notices, or use another project.
    project\b.{0,80}\bdeleted
        The Google Cloud project was deleted or is not known: check project_id (ANTHROPIC_VERTEX_PROJECT_ID).
    api has not been used in project|service_disabled
        The API is off in the Google Cloud project: enable it (aiplatform.googleapis.com), and wait some minutes.
permission -> permission when on_aws
    account is (?:currently )?blocked|recognized as a valid account
        AWS has blocked the account: ask AWS's support, since no permission helps.
    account is not authorized to invoke this api operation
        AWS does not let this account call it: check its access to models in this region, then ask AWS's support.
    \bkms\b
        A KMS key cannot be used: check that it is enabled, and that its policy lets the caller use it.
permission invalid_request -> permission when no_field
    contact aws sales|not available for channel program
        The AWS account has no right to this model: ask AWS Sales or the reseller, or choose another model.
    not allowed from unsupported countries
        The country that the request comes from is not served: check the account's country, VPN and region.
    ^operation not allowed
        AWS does not let this account call the model: check its access to models, then ask AWS's support.
    ^[^:]{0,80}(?:only authorized for use with claude code|oauth token does not meet scope)
        This OAuth token may not be used here: use an API key of the organization.
    ^[^:]{0,80}not enabled for (?:this|your)
        This is not enabled for the organization: have its administrator enable it, for the API in the Console.
    ^organization policy constraint
        A policy of the Google Cloud organization forbids it: have its administrator allow the feature or the model.
    ^data retention mode|zero data retention
        The model is not served with the data retention of this account: change that, or choose another model.
permission model_not_found -> permission
    no endpoints found matching your data policy
        The gateway's privacy settings leave no provider for the model: change them there (OpenRouter: data policy).
    no allowed providers|no endpoints found
        The gateway's routing leaves no provider for the model: allow one that has it and what the request needs.
permission invalid_request model_not_found -> permission when no_field
    ^[^:]{0,80}(?:use case details|access to (?:the|this) model|marketplace)
        The cloud account may not use this model: enable it there (access form, marketplace terms), in this region.
    ^[^:]{0,80}not allowed to use publisher model(?!.{0,200}not servable)
        The cloud account may not use this model: enable it there (access form, marketplace terms), in this region.
    ^model access is denied
        The cloud account may not use this model: enable it there (access form, marketplace terms), in this region.
permission -> permission
    (?:deny in an?|because no|because an?) service control policy
        A service control policy of the AWS organization denies it: have that changed, since no grant overrides it.
    (?:deny in an?|because no|because an?) permissions boundary
        The permissions boundary of the AWS identity denies it: have that changed, since no grant overrides it.
    (?:deny in an?|because no|because an?) vpc endpoint policy
        The policy of the VPC endpoint denies it: have that changed, since no grant overrides it.
    \bexplicit deny\b|because no (?:resource control|session) policy
        A policy that stands over grants denies it: have that policy changed, since no grant overrides it.
    bedrock:|not authorized to perform
        The AWS identity may not do this: grant it the action that the message of the exception names.
    aiplatform|permission \S{1,80} denied on resource
        The Google Cloud account may not do this: grant it a role with the permission that the message names.
    model (?:isnt|is not) available
        The model is not available to this account now: choose another one, or have it enabled there.
    you do not have permission to
        The caller lacks a permission: have the one granted that the message of the exception names.
permission -> permission when on_aws
    *
        AWS does not allow this: check the policies of the caller, and the account's access to the model in this region.
permission -> permission when on_google
    *
        Google Cloud does not allow this: check the caller's role, the project, and that the model is enabled there.
permission -> permission when on_azure
    *
        Azure does not allow this: check the role of the caller, and the network and the settings of the resource.
permission -> permission when on_api
    *
        The API does not allow this: the message of the exception says what; check the key's workspace or the sign-in.
permission -> permission
    *
        What answers at base_url does not allow this: read the message of the exception, and what the key may do there.
"""

TABLES = (_ACCOUNTS, _CREDENTIALS, _REFUSALS)
"""In the order in which they are tried."""
