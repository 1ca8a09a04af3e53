"""What words about models and other objects that are not there mean, as tables.

The language of the tables is that of `cases`. The wordings, with where they were seen, are in the tests.
"""

_MODELS = r"""
invalid_request -> invalid_request
    ^[^:]{0,80}unsupported for streaming
        The model does not stream on this platform: call it without stream.
invalid_request model_not_found -> model_not_found when no_field
    ^[^:]{0,80}not supported in this region|not available in (?:location|region)|not servable in region
        The model is not served in this region: call it in another one, or on the global endpoint.
    on-demand throughput|inference profile
        Bedrock serves this model through an inference profile: put us., eu., apac. or global. before its id.
    model identifier|at modelid failed to satisfy
        {family} is a known model, but not by this id in this region: check its prefix (us., eu., global.) and version.
        Bedrock has no model {model} in this region: the nearest known models are {nearest}.
        Bedrock has no model of this id in this region: check the id, its version, and the region of the client.
    publisher model|publishers/
        Google Cloud has no such model for this project: enable it in Model Garden, check its name and the region.
    healthy deployments?\b
        The gateway has no such model, or none that works: compare the name with the models that it lists.
    deployment (?:for this resource |\S{1,80} )?(?:does not exist|not found|was not found)|deploymentnotfound
        Azure has no deployment of this name: pass the deployment's name as model, and check the resource.
    end of its life|end-of-life|retired|marked by provider as legacy
        The model is retired: the newest others of its line are {others}.
        The model is retired: choose a current one.
invalid_request -> invalid_request
    ^model: (?:string should|field required|input should)
        No model was named: pass the name of a model.
model_not_found invalid_request -> invalid_request
    \b(?:file(?:_id)?|container|skill|batch)\b.{0,100}(?:not found|not exist|not be found)
        No such object: check its id, that it has not expired, and that the key is of the workspace that made it.
model_not_found -> invalid_request
    ^no results available for batch|^batch \S{1,80} has no available results
        The batch has not ended: read its results when its processing_status is ended.
    ^(?:agent|environment|session|thread|vault)\b.{0,60}not found
        No such object: check its id, that it has not expired, and that the key is of the workspace that made it.
    could not find
        No such object: check its id, that it has not expired, and that the key is of the workspace that made it.
invalid_request server other model_not_found -> model_not_found when no_field
    ^model: |(?:invalid|unknown|not a valid) model|model_not_supported|model .{0,100}(?:not found|not exist)
        {retired} is retired on the Claude API: the newest of its line are {others}.
        {known_model} is a known model but is not served here: it is retired, or not enabled for this account or region.
        No model {model}: the nearest known names are {nearest}; names with a date are retired in time.
        No model {model}: compare it with the list of models; names with a date are retired in time.
        No such model: compare its name with the list of models; names with a date are retired in time.
    requested model is not supported
        {retired} is retired on the Claude API: the newest of its line are {others}.
        {known_model} is a known model but is not served here: it is retired, or not enabled for this account or region.
        No model {model}: the nearest known names are {nearest}; names with a date are retired in time.
        No model {model}: compare it with the list of models; names with a date are retired in time.
        No such model: compare its name with the list of models; names with a date are retired in time.
model_not_found -> invalid_request when elsewhere
    *
        No such object: check its id, that it has not expired, and that the key is of the workspace that made it.
model_not_found -> invalid_request
    <html|<!doctype|resource not found|invalid url|not supported|cannot post|no route
        There is no such address: check the client's base_url (without /v1), and the paths that the gateway knows.
    detail: ?\nnot found|^(?:404 )?page not found|^404 not found|^error code: 404$|^\}$
        There is no such address: check the client's base_url (without /v1), and the paths that the gateway knows.
model_not_found -> model_not_found
    ^not[ _]found[.!]?(?:\}|, ?[a-z_]{1,20}:|$)
        Nothing is at this address: check base_url (without /v1), the paths that the gateway knows, then the model.
model_not_found -> model_not_found when on_other
    *
        What was asked for is not there: check the name of the model, and base_url (without /v1), with the gateway.
model_not_found -> model_not_found
    *
        {retired} is retired on the Claude API: the newest of its line are {others}.
        {known_model} is a known model but is not served here: it is retired, or not enabled for this account or region.
        No model {model}: the nearest known names are {nearest}; names with a date are retired in time.
        No model {model}: compare it with the list of models; names with a date are retired in time.
        No such model: compare its name with the list of models; names with a date are retired in time.
"""

TABLES = (_MODELS,)
"""In the order in which they are tried."""
