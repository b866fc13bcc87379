"""What a definition's outcome depends on: the source that it reaches, as hashes.

The *closure* of a function or class holds it and, transitively, every function, class and
module-level constant of one package that it names.

- Source is compared as a syntax tree: comments, docstrings, layout, and the annotations of
  arguments and results do not count. Where a definition stands does not count either.
- Annotations do count as naming: methods are found through them. Of a class that is named, only
  those methods, properties and fields belong to the closure whose name is used somewhere in it
  (``.name``, ``name=``); special and specially decorated methods (validators) always do.
- Of the `metric` decorator, ``version``, ``reference`` and ``family`` do not count.
- What is looked up by name at run time (`registry.load`), other packages and data files do not
  count, and neither do the modules in `WITHOUT_VALUES`.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

PACKAGE = "cascadence"
WITHOUT_VALUES = ("cascadence.errors", "cascadence.require", "cascadence.weights")
"""They word errors, and fetch what is checked by its hash: no value depends on how they do it."""
DECORATOR = "metric"
"""What makes a function a metric; it is not followed, since all it does is to keep the function."""
NOT_COUNTED_OF_A_METRIC = ("version", "reference", "family")
PLAIN_DECORATORS = ("property", "cached_property", "staticmethod", "classmethod", "setter")

Sources = Callable[[str], str | None]
"""Takes a module's name and returns its source, or ``None`` where it has none."""
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
Imported = tuple[str, str]
"""Module and name in it; the name is empty where the module itself is meant."""


@cache
def installed(module: str) -> str | None:
    """Source of an importable module."""
    try:
        found = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        return None
    if found is None or found.origin is None or not found.origin.endswith(".py"):
        return None
    return Path(found.origin).read_text(encoding="utf-8")


@dataclass(frozen=True)
class Module:
    """A module's top level: what binds each name, and where imported names come from."""

    bindings: Mapping[str, list[ast.stmt]]
    imports: Mapping[str, Imported]


@dataclass
class Closure:
    """What a root reaches: places and the hashes of what stands there."""

    parts: dict[str, str] = field(default_factory=dict)
    classes: dict[str, tuple[str, ast.ClassDef]] = field(default_factory=dict)

    @property
    def hash(self) -> str:
        """Of all parts, wherever they stand."""
        return digest("\n".join(sorted(set(self.parts.values()))), 16)


def closure(root: str, sources: Sources = installed, package: str = PACKAGE) -> Closure:
    """Collect what a metric or tool depends on.

    Args:
        root: ``module:name``, as entry points have it.
        sources: where modules are read.
        package: what lies outside it does not count.

    Raises:
        LookupError: there is no such definition.
    """
    return _Walk(sources, package).from_root(root)


class _Walk:
    """Follows names until there are no new ones."""

    def __init__(self, sources: Sources, package: str) -> None:
        self._sources = sources
        self._package = package
        self._modules: dict[str, Module | None] = {}
        self._found = Closure()
        self._used: set[str] = set()
        self._whole: set[str] = set()
        self._seen: set[tuple[str, str]] = set()

    def from_root(self, root: str) -> Closure:
        module, _, name = root.partition(":")
        known = self._module(module)
        if known is None or name not in known.bindings:
            raise LookupError(f"{root}: nothing is defined there")
        self._seen.add((module, name))
        for statement in known.bindings[name]:
            self._statement(module, name, statement)
        self._whole.add(f"{module}.{name}")
        while self._take_members():
            continue
        return self._found

    def _module(self, name: str) -> Module | None:
        if name not in self._modules:
            inside = name == self._package or name.startswith(f"{self._package}.")
            follow = inside and name not in WITHOUT_VALUES
            source = self._sources(name) if follow else None
            self._modules[name] = None if source is None else _parsed(source)
        return self._modules[name]

    def _reach(self, module: str, name: str) -> None:
        """Take in what a module calls by a name: a definition of its own, or somebody else's."""
        known = self._module(module)
        if known is None or name == DECORATOR or (module, name) in self._seen:
            return
        self._seen.add((module, name))
        if name in known.imports:
            origin, original = known.imports[name]
            if original:
                self._reach(origin, original)
        for statement in known.bindings.get(name, ()):
            self._statement(module, name, statement)

    def _statement(self, module: str, name: str, statement: ast.stmt) -> None:
        if isinstance(statement, ast.ClassDef):
            self._found.classes[f"{module}.{name}"] = (module, statement)
            head = ast.ClassDef(
                statement.name, statement.bases, statement.keywords, [], statement.decorator_list
            )
            self._add(module, name, head)
        elif isinstance(statement, ast.FunctionDef):
            self._add(module, name, _without_uncounted(statement))
        else:
            self._add(module, name, statement)

    def _take_members(self) -> bool:
        """Take in members of the classes reached whose names are used; say whether any was new."""
        before = len(self._found.parts)
        for place, (module, node) in list(self._found.classes.items()):
            for member, statements in _members_of(node).items():
                path = f"{node.name}.{member}"
                named = place in self._whole or member in self._used
                if f"{module}.{path}" not in self._found.parts and (
                    named or _always(member, statements)
                ):
                    self._add(module, path, ast.Module(statements, []))
        return len(self._found.parts) > before

    def _add(self, module: str, path: str, node: ast.AST) -> None:
        place = f"{module}.{path}"
        one = digest(canonical(node), 12)
        before = self._found.parts.get(place)
        self._found.parts[place] = one if before is None else digest(before + one, 12)
        known = self._module(module)
        imports = dict(known.imports) if known is not None else {}
        imports.update(_imports(ast.walk(node)))
        for origin, name in _imports(ast.walk(node)).values():
            if name:
                self._reach(origin, name)
        for child in ast.walk(node):
            self._use(module, child, imports)

    def _use(self, module: str, node: ast.AST, imports: Mapping[str, Imported]) -> None:
        match node:
            case ast.Name(id=name):
                self._reach(module, name)
            case ast.Attribute(value=base, attr=name):
                self._used.add(name)
                self._reach_in_module(base, name, imports)
            case ast.keyword(arg=str(name)):
                self._used.add(name)
            case ast.Call(func=ast.Name(id="getattr"), args=[_, ast.Constant(value=str(name)), *_]):
                self._used.add(name)
            case ast.MatchClass(cls=cls, patterns=by_position, kwd_attrs=names):
                self._used.update(names)
                name = (dotted(cls) or "").rpartition(".")[2]
                self._reach(module, name)
                if by_position:
                    ends = f".{name}"
                    self._whole.update(c for c in self._found.classes if c.endswith(ends))

    def _reach_in_module(self, base: ast.expr, name: str, imports: Mapping[str, Imported]) -> None:
        """Follow ``alias.name`` where the alias stands for a module."""
        path = dotted(base)
        if path is None:
            return
        head, _, tail = path.partition(".")
        if head not in imports:
            return
        origin, original = imports[head]
        for module in (f"{origin}.{original}".rstrip("."), origin):
            whole = ".".join(filter(None, (module, tail)))
            if self._module(whole) is not None:
                self._reach(whole, name)


@cache
def _parsed(source: str) -> Module:
    tree = ast.parse(source)
    bindings: dict[str, list[ast.stmt]] = {}
    for statement in _flat(tree.body):
        for name in _bound(statement):
            bindings.setdefault(name, []).append(statement)
    return Module(bindings, _imports(ast.walk(ast.Module(list(_flat(tree.body)), []))))


def _flat(statements: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a top level, those under ``if`` and ``try`` included."""
    for statement in statements:
        if isinstance(statement, ast.If):
            yield from _flat([*statement.body, *statement.orelse])
        elif isinstance(statement, ast.Try):
            handlers = [inner for handler in statement.handlers for inner in handler.body]
            yield from _flat([*statement.body, *handlers, *statement.orelse, *statement.finalbody])
        else:
            yield statement


def _bound(statement: ast.stmt) -> set[str]:
    """The names that a statement binds; of one that only acts, those that it acts on."""
    if isinstance(statement, Definition):
        return {statement.name}
    if isinstance(statement, ast.Import | ast.ImportFrom) or _is_text(statement):
        return set()
    names = [node for node in ast.walk(statement) if isinstance(node, ast.Name)]
    stored = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    plain = isinstance(statement, ast.Assign | ast.AnnAssign) and stored
    return stored if plain else {node.id for node in names}


def _imports(nodes: Iterable[ast.AST]) -> dict[str, Imported]:
    found: dict[str, Imported] = {}
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.update({a.asname or a.name: (node.module, a.name) for a in node.names})
        elif isinstance(node, ast.Import):
            for alias in node.names:
                head = alias.name.partition(".")[0]
                found[alias.asname or head] = (alias.name if alias.asname else head, "")
    return found


def _members_of(node: ast.ClassDef) -> dict[str, list[ast.stmt]]:
    found: dict[str, list[ast.stmt]] = {}
    for statement in node.body:
        for name in _bound(statement):
            found.setdefault(name, []).append(statement)
    return found


def _always(member: str, statements: Iterable[ast.stmt]) -> bool:
    """Whether a member acts without being named: special methods, settings, validators."""
    if member.startswith("__") or member == "model_config":
        return True
    decorators = [d for s in statements if isinstance(s, Definition) for d in s.decorator_list]
    last = [(dotted(decorator) or "call").rpartition(".")[2] for decorator in decorators]
    return any(name not in PLAIN_DECORATORS for name in last)


def dotted(node: ast.expr) -> str | None:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        base = dotted(node.value)
        return None if base is None else f"{base}.{node.attr}"
    return None


def _without_uncounted(function: ast.FunctionDef) -> ast.FunctionDef:
    """Leave out of a metric's decorator, or of one made from it, what can change no value."""
    decorators: list[ast.expr] = []
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call) and (dotted(decorator.func) or "").endswith(DECORATOR):
            counted = [k for k in decorator.keywords if k.arg not in NOT_COUNTED_OF_A_METRIC]
            counted.sort(key=lambda keyword: str(keyword.arg))
            decorators.append(ast.Call(decorator.func, decorator.args, counted))
        else:
            decorators.append(decorator)
    return ast.FunctionDef(function.name, function.args, function.body, decorators)


def _is_text(node: object) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def canonical(node: object) -> str:
    """Write a syntax tree down, the same under every Python version."""
    if isinstance(node, list):
        return "[" + ",".join(canonical(item) for item in node if not _is_text(item)) + "]"
    if not isinstance(node, ast.AST):
        return repr(node)
    left_out = {"ctx", "kind", "type_comment", "type_params", "returns"}
    left_out |= {"annotation"} if isinstance(node, ast.arg) else set()
    parts = [
        f"{name}={canonical(value)}"
        for name, value in sorted(ast.iter_fields(node), key=lambda pair: pair[0])
        if name not in left_out and value is not None and value != []
    ]
    return f"{type(node).__name__}({','.join(parts)})"


def digest(text: str, length: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:length]
