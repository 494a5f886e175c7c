import asyncio
from concurrent.futures import ThreadPoolExecutor


class OutOfStock(Exception):
    pass


def fail():
    raise OutOfStock("boom")


def gather():
    async def wait(number):
        await asyncio.sleep(0.01)
        return number

    async def both():
        return await asyncio.gather(wait(1), wait(2), asyncio.to_thread(lambda: 3))

    return asyncio.run(both())


def pool():
    with ThreadPoolExecutor(max_workers=4) as executor:
        return list(executor.map(lambda number: number * number, range(3)))
