"""Conda files, read as pip requirements.

There is no conda here: packages come from the package index, by uv. What becomes of a dependency:

======================================  ============================================================
conda dependency                        here
======================================  ============================================================
`python=3.10`                           the interpreter asked for
`pip`                                   always there; its version is not a requirement
a Python package (`scikit-learn=1.5`)   the same on the package index (`scikit-learn==1.5.*`), under
                                        the name in `PIP_NAMES` where it has another one there
a library that wheels bring with them   left out, named as an approximation
(`cudatoolkit`, `mkl`, `libgcc-ng`)
a package built for NumPy 1             `numpy<2` beside it: conda's builds say so, wheels of that
(`scikit-learn=1.2`)                    time do not
a program (`git`, `ffmpeg`, `r-base`)   this machine's, named as an approximation; an error where it
                                        is not in `PATH`
an R package (`r-dplyr`)                an error
======================================  ============================================================
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from typing import Any

from packaging.specifiers import InvalidSpecifier, Specifier, SpecifierSet
from packaging.version import Version

from amlocal.errors import EnvironmentBuildError
from amlocal.local.environments.choice import Requirements
from amlocal.local.environments.requirement_lines import read_lines

#: Names that conda and the package index do not share.
PIP_NAMES = {
    "dask-core": "dask",
    "faiss": "faiss-cpu",
    "lightgbm-cpu": "lightgbm",
    "matplotlib-base": "matplotlib",
    "msgpack-python": "msgpack",
    "opencv": "opencv-python-headless",
    "py-lightgbm": "lightgbm",
    "py-opencv": "opencv-python-headless",
    "py-xgboost": "xgboost",
    "py-xgboost-cpu": "xgboost",
    "py-xgboost-gpu": "xgboost",
    "pytables": "tables",
    "python-flatbuffers": "flatbuffers",
    "python-graphviz": "graphviz",
    "python-tzdata": "tzdata",
    "pytorch": "torch",
    "pytorch-cpu": "torch",
    "pytorch-gpu": "torch",
    "ruamel_yaml": "ruamel.yaml",
    "seaborn-base": "seaborn",
    "tensorflow-base": "tensorflow",
    "tensorflow-cpu": "tensorflow",
    "tensorflow-gpu": "tensorflow",
    "xgboost-cpu": "xgboost",
}

#: Conda packages that are programs, and what they are called in `PATH`.
PROGRAMS = {
    "cmake": "cmake",
    "compilers": "cc",
    "curl": "curl",
    "ffmpeg": "ffmpeg",
    "gcc": "gcc",
    "gcc_linux-64": "gcc",
    "git": "git",
    "git-lfs": "git-lfs",
    "graphviz": "dot",
    "gxx": "g++",
    "gxx_linux-64": "g++",
    "julia": "julia",
    "make": "make",
    "nodejs": "node",
    "openjdk": "java",
    "openmpi": "mpirun",
    "pandoc": "pandoc",
    "poppler": "pdftotext",
    "r-base": "Rscript",
    "r-essentials": "Rscript",
    "tesseract": "tesseract",
    "wget": "wget",
    "wkhtmltopdf": "wkhtmltopdf",
}

# Libraries and build-time leftovers: what needs them has them in its wheels. The exceptions are
# Python packages.
_LIBRARIES = re.compile(
    r"^(_.*|blas|bzip2|ca-certificates|cpuonly|cuda.*|cudatoolkit|cudnn|freetype|glib|hdf5|icu|"
    r"intel-openmp|jpeg|krb5|ld_impl_.*|lib(?!cst|rosa|sass|tmux).*|llvm-openmp|lz4-c|mkl|mkl-service|mkl_.*|mpich|mpi|"
    r"nccl|ncurses|nomkl|numpy-base|openblas|openssl|pytorch-cuda|pytorch-mutex|readline|snappy|"
    r"sqlite|tbb|tk|xz|yaml|zlib|zstd)$"
)
_COMMON_CHANNELS = frozenset(
    {"anaconda", "conda-forge", "defaults", "fastai", "huggingface", "main", "nvidia", "plotly"}
    | {"pytorch", "https://repo.anaconda.com/pkgs/main"}
)
#: The first versions that were built for NumPy 2 (numpy/numpy#26191 keeps the list).
_BUILT_FOR_NUMPY_2 = {
    "h5py": Version("3.11"),
    "matplotlib": Version("3.8.4"),
    "numba": Version("0.60"),
    "pandas": Version("2.2.2"),
    "pyarrow": Version("16"),
    "scikit-learn": Version("1.4.2"),
    "scipy": Version("1.13"),
    "statsmodels": Version("0.14.2"),
}
_DEPENDENCY = re.compile(
    r"^(?:(?P<channel>\S+)::)?(?P<name>[A-Za-z0-9_][\w.-]*)\s*"
    r"(?:\[(?P<bracket>[^\]]*)\]|(?P<version>.*))$"
)
_OPERATOR = re.compile(r"^(==|>=|<=|!=|~=|>|<|=)?\s*(.+)$")


def read_conda(conda: Mapping[str, Any], *, where: str, search_path: str) -> Requirements:
    """Return what a parsed conda file asks for, in pip's terms.

    Args:
        conda: The file's content.
        where: What it is, for messages.
        search_path: `PATH`, in which programs are looked for.

    Raises:
        EnvironmentBuildError: A dependency cannot be had without conda, or cannot be read.
    """
    lines: list[str] = []
    approximations = [
        f"conda channel {channel} is not read: packages come from the package index"
        for channel in _listed(conda, "channels", where)
        if channel not in _COMMON_CHANNELS
    ]
    python = ""
    needs_numpy_1 = False
    for dependency in _listed(conda, "dependencies", where):
        if isinstance(dependency, Mapping):
            section = map(str, _listed(dependency, "pip", where))
            lines += read_lines(section, folder=None, where=where)
            continue
        name, version = _parse(str(dependency), where)
        approximation = _not_a_package(name, where, search_path)
        if approximation:
            approximations.append(approximation)
        elif name == "python":
            python = _python(version, where)
        elif name != "pip":
            pip_name = PIP_NAMES.get(name, name)
            specifier = _specifier(version, name, where)
            lines.append(pip_name + specifier)
            needs_numpy_1 = needs_numpy_1 or _is_for_numpy_1(pip_name, specifier)
    if needs_numpy_1:
        lines.append("numpy<2")
    variables = {str(key): str(value) for key, value in (conda.get("variables") or {}).items()}
    return Requirements(
        tuple(lines), python, tuple(sorted(variables.items())), tuple(approximations)
    )


def _listed(mapping: Mapping[str, Any], key: str, where: str) -> list[Any]:
    value = mapping.get(key) or []
    if not isinstance(value, list):
        raise EnvironmentBuildError(
            f"{where}: {key!r} of the conda file is no list", hint="put a dash before each entry"
        )
    return value


def _parse(text: str, where: str) -> tuple[str, str]:
    """Return name and version part of a dependency; conda's MatchSpec without its build string."""
    found = _DEPENDENCY.match(text.strip())
    if found is None:
        raise EnvironmentBuildError(f"{where}: {text!r} is no conda dependency")
    version = found["version"] or ""
    if found["bracket"] is not None:
        given = re.search(r"version\s*=\s*['\"]?([^'\"\]]+)", found["bracket"])
        version = given[1] if given else ""
    # `numpy=1.22=py310h...` and `numpy 1.22 py310h...`: builds are conda's own.
    version = re.sub(r"^(={0,2}[^=<>!~\s,]+)(=|\s)[^=<>!~,]+$", r"\1", version.strip())
    return found["name"].lower(), version.replace(" ", "")


def _not_a_package(name: str, where: str, search_path: str) -> str:
    """Return how something that is no Python package is had; empty for a Python package."""
    if name in PROGRAMS:
        program = shutil.which(PROGRAMS[name], path=search_path)
        if program is None:
            raise EnvironmentBuildError(
                f"{where} asks for {name}, which is not a Python package, and there is no "
                f"{PROGRAMS[name]!r} in PATH",
                hint=f"install {name} on this machine",
            )
        return f"conda package {name} is not installed: this machine's {program} is used"
    if name.startswith("r-"):
        raise EnvironmentBuildError(
            f"{where} asks for the R package {name}, and only Python packages can be installed",
            hint=f"install {name} on this machine and take it out of the conda file",
        )
    if _LIBRARIES.match(name):
        return f"conda package {name} is not installed: Python packages bring their own libraries"
    return ""


def _specifier(version: str, name: str, where: str) -> str:
    """Return conda's version as pip's: `=1.5` is fuzzy and becomes `==1.5.*`."""
    clauses = [_clause(part) for part in version.split(",") if part.lstrip("=") not in ("", "*")]
    text = ",".join(clauses)
    try:
        SpecifierSet(text)
    except InvalidSpecifier:
        raise EnvironmentBuildError(
            f"{where}: the version {version!r} of {name} has no equivalent for pip",
            hint=f"write {name} with == or >= and a plain version",
        ) from None
    return text


def _is_for_numpy_1(name: str, specifier: str) -> bool:
    """Return whether only versions are asked for that were built for NumPy 1."""
    first = _BUILT_FOR_NUMPY_2.get(name)
    return first is not None and any(_is_below(each, first) for each in SpecifierSet(specifier))


def _is_below(specifier: Specifier, first: Version) -> bool:
    """Return whether every version that a specifier admits is before another."""
    stem = specifier.version.removesuffix(".*")
    version = Version(stem)
    release = version.release
    if specifier.operator == "~=":
        release = release[:-1]
    if specifier.operator == "~=" or stem != specifier.version:
        following = ".".join(map(str, (*release[:-1], release[-1] + 1)))
        return specifier.operator in ("==", "~=") and Version(following) <= first
    if specifier.operator == "<":
        return version <= first
    return specifier.operator in ("==", "<=") and version < first


def _clause(part: str) -> str:
    found = _OPERATOR.match(part)
    operator, number = (found[1] or "", found[2]) if found else ("", part)
    stem = number.removesuffix("*").removesuffix(".")
    if operator in ("", "==", "=") and (number.endswith("*") or operator == "="):
        # A pre-release has no versions below it.
        return f"=={stem}.*" if re.fullmatch(r"[\d.]+", stem) else f"=={stem}"
    if operator in (">", "<", ">=", "<="):
        return operator + stem
    return (operator or "==") + number


def _python(version: str, where: str) -> str:
    """Return the specifier of Python; patch levels are left out, any of a minor version will do."""
    specifier = _specifier(version, "python", where)
    return re.sub(r"(===?)(\d+\.\d+)(\.\d+)?(\.\*)?(?=,|$)", r"==\2.*", specifier)
