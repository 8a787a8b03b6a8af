"""Why a model predicts what it does: how columns matter, to which effect, and for a single row.

From Python, with any model that `stepkit.model.load_model` loads:

    from stepkit.model import load_model
    from stepkit.table import read_table
    from raikit.explanation.explain import Settings, explain
    from raikit.explanation.subject import Subject

    model = load_model(Path("model"))
    train, test = read_table(Path("train.parquet")), read_table(Path("test.parquet"))
    subject = Subject.of(model, train, positive_label="auto")
    explanation = explain(subject, train, test, Settings(seed=0))

    explanation.shap.values        # contributions, shape (rows, columns, outputs)
    explanation.shap.strength      # mean |contribution| of each column, shape (columns,)
    explanation.importance.mean    # loss of the metric when a column is shuffled
    explanation.effects["age"]     # partial dependence, ICE, and ALE
    explanation.surrogate.fidelity # of a small tree that imitates the model
    explanation.agreement.pairs    # how far the methods agree
    explanation.local              # of chosen and of the worst-predicted rows

and by themselves, each of one subject and plain tables of the model's columns:

    contributions(subject, rows, background, unit="auto")    raikit.explanation.shapley
    permutation_importance(subject, table, ...)              raikit.explanation.importance
    effect_of(subject, name, table, ...)                     raikit.explanation.effects
    fit_surrogate(subject, train, test, ...)                 raikit.explanation.surrogate
    terms_of(subject), own_contributions(subject, rows, ...) raikit.explanation.glassbox
    global_document(explanation), local_document(explanation) raikit.explanation.documents

Every contribution is of a raw column of the table, whatever the model makes of it, and in a unit
that is said. Nothing heavy is imported here; shap and numba only where trees are explained.
"""
