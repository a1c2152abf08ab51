"""`cutwatch account-check`: compare a real account with what the local AWS assumes."""

from typing import TYPE_CHECKING, Annotated

import typer

from cutwatch_cli.commands.exits import FAILURE, SUCCESS, USAGE_ERROR, end
from cutwatch_cli.commands.local_aws import check_installed
from cutwatch_cli.commands.options import Profile, Region

if TYPE_CHECKING:
    from cutwatch_cli.account_check.check import Result


def account_check(
    stack_name: Annotated[
        str, typer.Option("--stack-name", help="Name of a throw-away stack that does not exist.")
    ],
    region: Region = None,
    profile: Profile = None,
    kms_key: Annotated[
        str, typer.Option("--kms-key", help="ARN of a customer-managed key to encrypt with.")
    ] = "",
    sagemaker: Annotated[
        bool,
        typer.Option("--sagemaker/--no-sagemaker", help="Check the engine sagemaker as well."),
    ] = True,
    build: Annotated[
        bool,
        typer.Option(
            "--build/--skip-build", help="Run sam build first; the local AWS needs no build."
        ),
    ] = True,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
) -> None:
    """Check the account with a throw-away stack, then remove it."""
    check_installed("cutwatch account-check")
    from botocore.exceptions import BotoCoreError, ClientError

    from cutwatch_cli.account_check import check
    from cutwatch_cli.account_check.plan import plan
    from cutwatch_cli.account_check.throwaway import Throwaway, is_stack_name
    from cutwatch_cli.stacks.account import Account, explanation
    from cutwatch_cli.stacks.refusal import Refused

    if not is_stack_name(stack_name):
        end(
            f"--stack-name {stack_name}: expected a letter, then up to 24 letters, digits and hyphens",
            USAGE_ERROR,
        )
    account = Account.reached_by(profile, region)
    try:
        number, _ = check.identity(account)
        throwaway = Throwaway(account, number, stack_name, sagemaker, kms_key)
        check.check_absent(throwaway)
    except Refused as error:
        end(str(error), USAGE_ERROR)
    except (BotoCoreError, ClientError) as error:
        end(explanation(error, account.region), USAGE_ERROR)
    typer.echo(f"Account {number}, region {account.region}, stack {stack_name}")
    typer.echo("\n".join(plan(throwaway)))
    if not yes and not typer.confirm("Continue?"):
        raise typer.Exit(FAILURE)
    result = check.run(throwaway, typer.echo, build=build)
    typer.echo(_verdict(result))
    raise typer.Exit(SUCCESS if result.succeeded else FAILURE)


def _verdict(result: "Result") -> str:
    end = "; remove what remains by hand." if result.remaining else "; nothing remains."
    if result.failure:
        return f"The check could not be completed{end}"
    number = len(result.differing)
    differ = (
        f"{number} fact{'s differ' if number > 1 else ' differs'}: {', '.join(result.differing)}"
    )
    return f"{differ if number else 'Every fact holds'}{end}"
