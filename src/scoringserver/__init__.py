"""Serves any MLflow model over HTTP without a script, as Azure ML's no-code deployment does.

    python -m scoringserver --model DIR --socket PATH | --port N

**Paths.** `POST /score` and `POST /invocations` (the same); `GET /` (200: the server listens only
once the model is loaded and has predicted its input example); `GET /swagger.json?version=2|3`.

**Bodies.** Azure's `{"input_data": ...}` is answered with the bare predictions; MLflow's
`dataframe_split`, `dataframe_records`, `instances`, `inputs`, and `text/csv` with
`{"predictions": ...}`. See `body` and `table`. Rows are checked against the model's signature by
the conversions that MLflow permits (`columns`, `tensors`, `parameters`); a model without one gets
what was sent (`given`).

**Answers** are what the model's `predict` gives, written as MLflow writes it, but NaN and the
infinities are null: JSON has no other word for them. Errors are `{"message": ...}`:

- 400: the body is no JSON, none of the forms, empty, or does not fit the signature
- 404, 405: another path or method
- 413: the body is over the limit (`--max-body`)
- 415: neither JSON nor CSV, another character set than UTF-8, or compressed
- 500: the model raised, or predicted what JSON cannot hold; the traceback is in the log alone

**Batches.** One thread calls the model. What waits when it becomes free is put together, as far as
it is of one form and has equal parameters, and is predicted by one call (`batching`). Models that
may look beyond the row that they predict are called for one request at a time (`rowwise`).
"""
