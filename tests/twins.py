"""What the tests of hand-written layers share: tensors to try, and a comparison that asserts."""

import torch

F64 = torch.float64


def draw(*shape, seed=0, dtype=F64):
    """Return normal numbers that depend on the shape and the seed only."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=F64).to(dtype)


def disturb(module, seed=1):
    """Move all parameters away from their first values: norms are 1 and 0 at first."""
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += 0.3 * torch.randn(parameter.shape, generator=random, dtype=F64)


def close(got, expected, tolerance=1e-12):
    """Assert that two tensors have the same shape, type and numbers."""
    assert got.shape == expected.shape
    assert got.dtype == expected.dtype
    torch.testing.assert_close(got, expected, rtol=tolerance, atol=tolerance)
