"""Branch Specialization (Voss et al., 2021): families sit together in one branch of a layer."""

from visioncircuits.thread import Article
from visioncircuits.thread.articles.branch_specialization.axes import axes_here, google
from visioncircuits.thread.articles.branch_specialization.families import families_here
from visioncircuits.thread.articles.branch_specialization.published import published_families

ARTICLE = Article(
    "Branch Specialization",
    "Voss, Goh, Cammarata, Petrov, Schubert, Olah, 2021",
    "https://distill.pub/2020/circuits/branch-specialization/",
    "Where a layer is cut into branches, units of a family gather in one of them; early layers "
    "without branches are divided by color and frequency all the same.",
    (published_families, families_here, axes_here, google),
    families={"mixed3a": "high-low", "mixed3b": "curve"},
)
